"""The first hour: from a new box to one that watches. What is asked, what was answered, and the site.toml it makes."""
