package com.example.shop;

import io.counters.Count;
import io.counters.Counters;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** For Servlet 5 and newer; it also counts by the API, which its web application contains. */
@WebServlet("/orders")
public final class JakartaApiShop extends HttpServlet {
    @Override
    @Count("requests,by=jakarta")
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        Counters.add("requests.api", 2);
        response.getWriter().print(Orders.answer(request.getQueryString()));
    }
}
