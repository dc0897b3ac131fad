package com.example.shop;

import io.counters.Count;
import java.io.IOException;
import javax.servlet.annotation.WebServlet;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

/** For Servlet 4 and older. */
@WebServlet("/orders")
public final class JavaxShop extends HttpServlet {
    @Override
    @Count("requests,by=javax")
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        response.getWriter().print(Orders.answer(request.getQueryString()));
    }
}
