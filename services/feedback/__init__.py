"""feedback: keeps what people say of answers, reads comments, and makes training rows of it.

`service` knows what to do, `domain` how to judge, `queries` and `store` where it stays.
"""
