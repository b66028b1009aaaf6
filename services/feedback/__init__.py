"""feedback: reads what people say of answers. So far its domain only; no process runs yet."""
