"""What a command prints of a model's card."""

import pytest

from cxrview.classify.model import load_model
from cxrview.records.model_card import ModelCard
from cxrview.reports.card_summary import card_lines, cutoffs_line, int8_lines

CARD = load_model("googlenet", precision="fp32").card


def test_card_lines_count_both_partitions_and_every_seed():
    lines = card_lines(CARD)

    assert lines[0] == cutoffs_line(CARD)
    for part in ("validation", "test"):
        of = [line for line in lines if line.startswith(part)]
        not_chest = sum(row.partition == part for row in CARD.about.not_chest)
        assert len(of) == len(getattr(CARD.about, part)) + 1 + not_chest
    seeds = [line for line in lines if line.startswith("seed ")]
    assert len(seeds) == len(CARD.about.seeds.each)
    assert sum(line.endswith("chosen") for line in seeds) == 1


def test_int8_lines_tell_both_precisions_and_their_difference():
    lines = int8_lines(CARD)

    assert lines[0].startswith(CARD.model_id)
    assert lines[1].startswith(CARD.int8.model_id)
    kinds = CARD.int8.about.against_fp32
    assert len(lines) == 2 + sum(len(rows) for rows in kinds.values())


def test_int8_lines_need_weights_of_int8():
    card = ModelCard(
        model_id="bare",
        weights_sha256="0" * 64,
        input_side=256,
        cutoff=50.0,
        paper_cutoff=50.0,
        review_band=(45.0, 55.0),
        precision="float32",
    )

    with pytest.raises(ValueError, match="bare"):
        int8_lines(card)
