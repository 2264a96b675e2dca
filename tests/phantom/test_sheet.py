from PIL import Image

from cxrview.phantom.contact_sheet import draw_sheet


def test_a_sheet_shows_every_patient_from_front_and_side(tmp_path):
    draw_sheet(tmp_path / "sheet.png", patients=2, size=(96, 78))

    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (2 * 19, 2 * 24)
