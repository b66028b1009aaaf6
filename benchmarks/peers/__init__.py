"""Programs that peers' own Pythons run: nothing here imports anything of ours."""
