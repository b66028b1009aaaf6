"""`python -m deploy.cli`: the program without its entry script."""

from deploy.cli.main import app

if __name__ == "__main__":
    app()
