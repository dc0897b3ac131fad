/**
 * The applications that are deployed in the servers: a servlet of either namespace, and a bundle. The tests pack the
 * classes; the archives do not contain the annotation.
 */
package com.example.shop;
