"""The gateway's doors: each route declares its permission and speaks to one service."""
