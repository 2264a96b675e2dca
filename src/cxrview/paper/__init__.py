"""The paper's study, carried out again: nine candidates, comparison, figures."""
