//! Both programs together: the harness of the system tests.
