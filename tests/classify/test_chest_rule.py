import pytest
from pydicom.uid import UID_dictionary

from cxrview.classify.chest_rule import load_chest_rule
from cxrview.errors import UsageError
from cxrview.records.classification import Instance

RULE = load_chest_rule()
CR = "1.2.840.10008.5.1.4.1.1.1"


def instance(**fields) -> Instance:
    known = {"path": "x", "content_id": "", "sop_class_uid": CR, "transfer_syntax": "1.2"}
    return Instance(**{**known, **fields})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"modality": "CR", "body_part": "CHEST"}, None),
        ({"modality": "DX", "body_part": "THORAX"}, None),
        ({"modality": "DX", "body_part": "RIBCAGE"}, None),
        ({"modality": "CR", "body_part": ""}, None),
        ({"modality": "CR", "body_part": "PORTABLE CHEST"}, None),
        ({"modality": "", "body_part": ""}, None),
        ({"modality": "CT", "body_part": "CHEST"}, "skipped_by_modality"),
        ({"modality": "CR", "body_part": "HAND"}, "skipped_by_body_part"),
        ({"modality": "CR", "body_part": "l-spine"}, "skipped_by_body_part"),
        ({"sop_class_uid": "1.2.840.10008.1.3.10"}, "skipped_by_sop_class"),
    ],
)
def test_only_a_header_that_says_something_else_is_skipped(fields, reason):
    assert RULE.reason_to_skip(instance(**fields)) == reason


def test_a_picture_has_no_header_to_be_skipped_by():
    assert RULE.reason_to_skip(Instance(path="x.png", content_id="")) is None


def classes(*words: str) -> list[str]:
    """Storage classes of pydicom's dictionary whose names hold one of the words."""
    return [
        uid
        for uid, facts in UID_dictionary.items()
        if facts[1] == "SOP Class" and any(word in facts[0] for word in words)
        if "DICOS" not in facts[0]  # X-rays of baggage
    ]


@pytest.mark.parametrize(
    "uid",
    classes("SR Storage", "Presentation State Storage", "CT Image Storage", "MR Image Storage",
            "Encapsulated", "Key Object Selection", "Waveform Storage", "Mammography",
            "Segmentation Storage", "Directory", "Ultrasound", "RT "),
)  # fmt: skip
def test_storage_that_is_no_radiograph_is_skipped(uid):
    if "Storage" in UID_dictionary[uid][0] and uid.startswith("1.2.840.10008.5.1.4.1.1."):
        assert RULE.reason_to_skip(instance(sop_class_uid=uid)) == "skipped_by_sop_class"


@pytest.mark.parametrize(
    "uid", classes("Computed Radiography Image", "Digital X-Ray Image", "Secondary Capture")
)
def test_storage_that_may_be_a_radiograph_is_not(uid):
    assert RULE.reason_to_skip(instance(sop_class_uid=uid)) is None


def test_a_users_own_rule_takes_the_place_of_ours(tmp_path):
    path = tmp_path / "rule.toml"
    path.write_text('version = "mine"\nmodalities = ["CT"]\nsop_classes = []\nbody_parts = []\n')

    rule = load_chest_rule(path)

    assert rule.reason_to_skip(instance(modality="CT")) is None
    assert rule.reason_to_skip(instance(modality="CR")) == "skipped_by_modality"


def test_a_rule_without_an_entry_is_refused(tmp_path):
    (tmp_path / "rule.toml").write_text('version = "1"\n')

    with pytest.raises(UsageError, match="is not a chest rule"):
        load_chest_rule(tmp_path / "rule.toml")


@pytest.mark.parametrize("modalities", ['"CR"', "[1, 2]"])
def test_a_rule_that_is_no_list_of_texts_is_refused(tmp_path, modalities):
    path = tmp_path / "rule.toml"
    path.write_text(
        f'version = "1"\nmodalities = {modalities}\nsop_classes = []\nbody_parts = []\n'
    )

    with pytest.raises(UsageError, match="is not a chest rule"):
        load_chest_rule(path)


def test_a_rule_may_be_written_in_small_letters(tmp_path):
    path = tmp_path / "rule.toml"
    path.write_text('version = "1"\nmodalities = ["cr"]\nsop_classes = []\nbody_parts = []\n')

    assert load_chest_rule(path).reason_to_skip(instance(modality="CR")) is None
