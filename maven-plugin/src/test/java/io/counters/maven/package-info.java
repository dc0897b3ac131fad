/** Tests of the Maven plugin: a real Maven builds a project with it. */
package io.counters.maven;
