"""`python -m deploy.cli`: the program without its entry script."""

from deploy.cli import app

if __name__ == "__main__":
    app()
