import pytest

from cxrview.train.augment import AUGMENTATIONS
from cxrview.train.recipes import RECIPES


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_recipe_names_known_augmentations(recipe):
    assert set(recipe.chances) <= set(AUGMENTATIONS)
    assert all(0 < chance <= 1 for chance in recipe.chances.values())
