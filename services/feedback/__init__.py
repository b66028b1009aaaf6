"""feedback: reads and weighs what people say of answers. Its domain only; no process runs yet."""
