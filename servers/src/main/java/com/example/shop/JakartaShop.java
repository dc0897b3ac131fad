package com.example.shop;

import io.counters.Count;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** For Servlet 5 and newer. */
@WebServlet("/orders")
public final class JakartaShop extends HttpServlet {
    @Override
    @Count("requests,by=jakarta")
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        response.getWriter().print(Orders.answer(request.getQueryString()));
    }
}
