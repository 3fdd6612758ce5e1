"""A SIS server in the box: to try, demonstrate and test against."""
