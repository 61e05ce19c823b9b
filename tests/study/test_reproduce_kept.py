"""`vqapg reproduce` started again: what makes it train or look anew, and what it leaves alone."""

from tests.support.study_runs import EPOCHS, RUN, epochs, only


def test_changed_data_train_anew_and_new_features_do_not(programs):
    """On a data directory of the user's own, which is linked."""
    data = programs.folder / "mine"
    data.mkdir()
    for name in ("manifest.json", "features.h5"):
        (data / name).write_text("{}")
    (data / "test.image").write_text("a.png\n")
    words = ("mine", "--preset", "small", "--cpu", "--only", "table3")
    programs.run(*words)
    assert (programs.folder / "runs/mine-small/data").resolve() == data
    assert not programs.calls("prepare") and not programs.calls("features")
    # Snakemake starts the training again, whose checkpoint has all epochs. It would not for a small
    # file that is touched only.
    (data / "features.h5").write_text("{ }")
    programs.run(*words)
    assert len(programs.calls("begin evaluator ")) == 2
    assert epochs(programs)["evaluator"] == EPOCHS
    (data / "manifest.json").write_text('{"other": "data"}')
    programs.run(*words)
    assert epochs(programs)["evaluator"] == EPOCHS * 2


def test_people_keep_their_session_and_choose_images(done):
    folder = done.folder / RUN
    words = only("table6", "figure7")
    # Too few pairs to judge hold nothing up.
    done.run(*words, STAND_IN_TOO_FEW="yes")
    assert (folder / "annotation.started").exists() and not (folder / "annotation").exists()
    assert len(done.calls("report")) == 2
    (folder / "annotation.started").unlink()
    done.run(*words, "--images", "b.png")
    judged = folder / "annotation/judgements"
    judged.write_text("hours of work")
    # Neither other models nor a mark that is gone begin another session.
    for path in folder.glob("[ps]*_variational/seed-1/final.pt"):
        path.write_text("another\n")
    (folder / "annotation.started").unlink()
    done.run(*words, "--images", "b.png")
    assert judged.read_text() == "hours of work" and len(done.calls("annotate")) == 2
    # Other images are looked at anew, and the same are not.
    looked = [line.rpartition("--overwrite ")[2] for line in done.calls("vqapg attention")]
    assert looked == ["a.png b.png", "b.png"]
