"""How the tables of an annotation study came to be, step by step; Alembic goes up them."""
