"""Files appear whole or not at all, and no path leads out of the storage folder."""

from pathlib import Path

import pytest

from services.storage import NotStored, Storage, WriteOvertaken

ESCAPES = (
    "../secret.csv",
    "ada/../../secret.csv",
    "ada/../bea/a.csv",
    "/etc/passwd",
    "//etc/passwd",
    "file:///etc/passwd",
    "s3://bucket/a.csv",
    "ada\\..\\..\\secret.csv",
    "ada/a.csv\0",
    "",
    ".",
    "..",
)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    (tmp_path / "secret.csv").write_bytes(b"secret")
    (tmp_path / "root" / "bea").mkdir(parents=True)
    (tmp_path / "root" / "bea" / "a.csv").write_bytes(b"hers")
    return Storage((tmp_path / "root").as_uri())


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def write(storage: Storage, path: str, content: bytes) -> None:
    with storage.open(path, "wb") as file:
        file.write(content)


def read(storage: Storage, path: str) -> bytes:
    with storage.open(path) as file:
        return file.read()


@pytest.mark.parametrize("path", ESCAPES)
def test_a_path_that_leads_out_is_refused_to_every_caller(
    storage: Storage, path: str, tmp_path: Path
) -> None:
    with pytest.raises(NotStored, match="leads out"), storage.open(path):
        pass
    with pytest.raises(NotStored, match="leads out"), storage.open(path, "wb"):
        pass
    with pytest.raises(NotStored, match="leads out"):
        storage.exists(path)
    with pytest.raises(NotStored, match="leads out"):
        storage.remove(path)
    with pytest.raises(NotStored, match="leads out"):
        storage.discard_unfinished(path)

    assert (tmp_path / "secret.csv").read_bytes() == b"secret"
    assert names(tmp_path / "root") == ["bea"]


@pytest.mark.parametrize("target", ["secret.csv", "root/bea/a.csv"])
def test_a_link_to_a_file_is_not_followed(storage: Storage, target: str, tmp_path: Path) -> None:
    (tmp_path / "root" / "ada").mkdir()
    (tmp_path / "root" / "ada" / "a.csv").symlink_to(tmp_path / target)

    with pytest.raises(NotStored, match="by a link"), storage.open("ada/a.csv"):
        pass
    with pytest.raises(NotStored, match="by a link"), storage.open("ada/a.csv", "wb"):
        pass


def test_a_link_to_a_folder_is_not_followed(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root" / "ada").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(NotStored, match="by a link"):
        write(storage, "ada/models/new.csv", b"x")

    assert names(tmp_path / "elsewhere") == []


def test_the_storage_folder_itself_may_be_a_link(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "root")

    assert read(Storage((tmp_path / "link").as_uri()), "bea/a.csv") == b"hers"
    assert storage.exists("bea/a.csv")


def test_a_file_is_not_there_before_it_is_whole(storage: Storage, tmp_path: Path) -> None:
    with storage.open("ada/models/m.skops", "wb") as file:
        file.write(b"half")
        assert not storage.exists("ada/models/m.skops")

    assert read(storage, "ada/models/m.skops") == b"half"
    assert names(tmp_path / "root" / "ada" / "models") == ["m.skops"]


def test_what_cannot_be_written_leaves_what_was_there(storage: Storage, tmp_path: Path) -> None:
    def fail() -> None:
        with storage.open("bea/a.csv", "wb") as file:
            file.write(b"half")
            raise MemoryError

    with pytest.raises(MemoryError):
        fail()

    assert read(storage, "bea/a.csv") == b"hers"
    assert names(tmp_path / "root" / "bea") == ["a.csv"]


def test_what_is_not_confirmed_leaves_what_was_there(storage: Storage, tmp_path: Path) -> None:
    def refuse() -> None:
        raise PermissionError

    with pytest.raises(PermissionError), storage.replace("bea/a.csv", refuse) as file:
        file.write(b"new")

    assert read(storage, "bea/a.csv") == b"hers"
    assert names(tmp_path / "root" / "bea") == ["a.csv"]


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_who_was_overtaken_after_it_confirmed_puts_nothing_in_place(
    kind: str, storage: Storage, tmp_path: Path
) -> None:
    chosen = storage if kind == "file" else Storage(f"memory://{tmp_path.name}")

    def overtaken() -> None:
        chosen.discard_unfinished("bea/m.skops")
        write(chosen, "bea/m.skops", b"of the new owner")

    with pytest.raises(WriteOvertaken), chosen.replace("bea/m.skops", overtaken) as file:
        file.write(b"of the old owner")

    assert read(chosen, "bea/m.skops") == b"of the new owner"


def test_only_what_was_begun_of_the_same_file_is_discarded(
    storage: Storage, tmp_path: Path
) -> None:
    folder = tmp_path / "root" / "bea"
    kept = ["m.skops", "m.skops.1.skops.2.part", "m2.skops.3.part", "mXskops.4.part"]
    for name in (*kept, "m.skops.5.part", "m.skops.6.part"):
        (folder / name).touch()

    storage.discard_unfinished("bea/m.skops")

    assert names(folder) == sorted(["a.csv", *kept])


def test_removing_what_is_not_there_is_no_error(storage: Storage) -> None:
    storage.remove("bea/a.csv")
    storage.remove("bea/a.csv")
    storage.remove("nowhere/a.csv")

    assert not storage.exists("bea/a.csv")


def test_a_file_that_is_not_there_is_named(storage: Storage) -> None:
    with pytest.raises(NotStored, match=r"no file 'ada/none\.csv'"), storage.open("ada/none.csv"):
        pass
