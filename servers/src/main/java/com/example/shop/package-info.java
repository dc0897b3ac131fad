/**
 * The applications that the servers are given: a servlet of either namespace, and a bundle. The tests pack the classes;
 * none of them brings the annotation along.
 */
package com.example.shop;
