"""The paper's figures (section 7) and ours."""
