"""Carries out the study of the paper: hands what one room made to the next, stage by stage."""
