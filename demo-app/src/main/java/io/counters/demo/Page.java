package io.counters.demo;

import java.util.List;

/**
 * A page of the shop: HTML for a person, with one fact per line for a program.
 *
 * @param status HTTP status
 * @param facts such as {@code pieces 3}
 * @param actions paths to which one button each posts
 */
record Page(int status, String title, List<String> facts, List<String> actions) {
    Page {
        facts = List.copyOf(facts);
        actions = List.copyOf(actions);
    }

    String html() {
        StringBuilder html =
                new StringBuilder("<!doctype html><title>A small shop</title>\n<h1>" + title + "</h1>\n<pre>\n");
        facts.forEach(fact -> html.append(fact).append('\n'));
        html.append("</pre>\n");
        for (String action : actions) {
            html.append("<form method=post action=").append(action);
            html.append("><button>").append(action).append("</button></form>\n");
        }
        return html.append("<p><a href=/>The shop</a>\n").toString();
    }
}
