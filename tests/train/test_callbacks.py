from cxrview.train.callbacks import TrainingWatch, with_event_files


def test_training_watch_ignores_progress_by_default():
    watch = TrainingWatch()

    watch.stage("seed 0")
    watch.count(1, 10, "images")
    watch.step(1, 2, 0.5)
    watch.epoch(1, 2, 0.9)


def test_counter_adds_total_and_unit():
    counted = []
    watch = TrainingWatch(count=lambda *progress: counted.append(progress))

    watch.counter(10, "images")(3)

    assert counted == [(3, 10, "images")]


def test_with_event_files_calls_watch_and_writes_events(tmp_path):
    called = []
    watch = TrainingWatch(
        step=lambda *progress: called.append(progress),
        epoch=lambda *progress: called.append(progress),
    )

    both = with_event_files(watch, tmp_path / "events", accuracy_name="validation top-1")
    both.step(1, 2, 0.5)
    both.epoch(1, 1, 0.75)

    assert called == [(1, 2, 0.5), (1, 1, 0.75)]
    (file,) = (tmp_path / "events").iterdir()
    assert file.name.startswith("events.out.tfevents")
