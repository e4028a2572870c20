"""Stations from PostGIS, against a real server that the run starts in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import shapely
import sqlalchemy as sql

from geo import pipeline
from geo.config import study_from_mapping
from geo.errors import InputError
from geo.intake import missing_files
from geo.intake.stations import read_stations
from geo.intake.tables import DatabaseTable, content_sha256, read_database, read_table

ROOT = Path(__file__).resolve().parents[2]
AREA = shapely.box(115.70, 32.80, 115.90, 32.95)
PASSWORD = "p@ss:w/o'rd"
QUOTED = "p%40ss%3Aw%2Fo%27rd"
SETUP = """
CREATE EXTENSION postgis;
CREATE ROLE clerk LOGIN PASSWORD 'p@ss:w/o''rd';
CREATE SCHEMA gis;
CREATE TABLE gis.stations (gid integer PRIMARY KEY, 名称 text, 所属街道 text, 开放时间 text, services text[], toilet boolean,
    built date, opened time, seats numeric, geom geometry(Point, 4548));
INSERT INTO gis.stations SELECT 3 - k, n, '鼓楼街道', '24小时', ARRAY['饮水','休息'], k = 0, '2025-08-18', '08:00', 2.50,
    ST_Transform(ST_SetSRID(ST_MakePoint(115.81 + k * 0.01, 32.89), 4326), 4548)
    FROM (VALUES (0, '甲驿站'), (1, '乙驿站'), (2, '丙驿站')) AS t(k, n);
INSERT INTO gis.stations (gid, 名称) VALUES (9, '丁驿站');
CREATE VIEW gis.open_stations AS SELECT 名称, ST_Y(ST_Transform(geom, 4326)) AS 纬度, ST_X(ST_Transform(geom, 4326)) AS 经度
    FROM gis.stations WHERE geom IS NOT NULL;
CREATE TABLE gis.mixed (名称 text, geom geometry);
INSERT INTO gis.mixed SELECT 名称, CASE gid WHEN 1 THEN geom ELSE ST_Transform(geom, 4490) END FROM gis.stations;
CREATE TABLE gis.marked (名称 text, place geography(Point, 4326));
INSERT INTO gis.marked SELECT 名称, ST_Transform(geom, 4326)::geography FROM gis.stations WHERE gid <= 3;
CREATE TABLE gis.bare (名称 text, geom geometry);
INSERT INTO gis.bare VALUES ('甲驿站', ST_MakePoint(115.81, 32.89));
CREATE TABLE gis.half AS SELECT * FROM gis.bare UNION ALL SELECT 名称, geom FROM gis.mixed WHERE 名称 = '乙驿站';
CREATE TABLE gis.two (名称 text, a geometry, b geometry);
CREATE TABLE gis.none (名称 text, geom geometry);
CREATE TABLE gis.secret (名称 text);
CREATE SEQUENCE gis.calls;
CREATE VIEW gis.writes AS SELECT 名称, nextval('gis.calls') AS 编号 FROM gis.stations;
GRANT USAGE ON SCHEMA gis TO clerk;
GRANT SELECT ON ALL TABLES IN SCHEMA gis TO clerk;
GRANT USAGE ON SEQUENCE gis.calls TO clerk;
REVOKE SELECT ON gis.secret FROM clerk;
"""


def _binary(name: str) -> str:
    homes = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: -float(p.parts[4]))
    found = str(homes[0]) if homes else shutil.which(name)
    if not found:
        pytest.fail("PostgreSQL is not installed: make test installs postgresql-postgis")
    return found


def _as_server(command: list[str]) -> None:
    """PostgreSQL refuses to run as root."""
    as_root = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*as_root, *command], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, cwd="/",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout.decode()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The options of a connection to a fresh PostGIS on a socket in a folder of its own: ``host=…``."""
    folder = Path(tempfile.mkdtemp(prefix="redmap-pg-"))
    owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    folder.chmod(0o755)
    data = folder / "data"
    try:
        _as_server([
            _binary("initdb"), "-D", str(data), "-U", "boss", "-E", "UTF8", "--locale=C.UTF-8",
            "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync",
        ])  # fmt: skip
        rules = data / "pg_hba.conf"
        rules.write_text("local all boss trust\nlocal all all scram-sha-256\n", encoding="ascii")
        _as_server([
            _binary("pg_ctl"), "-D", str(data), "-w", "-t", "60", "-l", str(folder / "log"),
            "-o", f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off", "start",
        ])  # fmt: skip
        try:
            engine = sql.create_engine(
                f"postgresql+psycopg://boss@/postgres?host={folder}", poolclass=sql.NullPool
            )
            with engine.begin() as connection:
                connection.exec_driver_sql(SETUP)
            engine.dispose()
            yield f"host={folder}"
        finally:
            _as_server([_binary("pg_ctl"), "-D", str(data), "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(server: str) -> str:
    return f"postgresql://clerk:{QUOTED}@/postgres?{server}"


def refused(url: str, table: str) -> str:
    with pytest.raises(InputError) as caught:
        read_database(DatabaseTable(url, table))
    told = str(caught.value)
    assert PASSWORD not in told + repr(caught.value.__cause__)
    assert QUOTED not in told + repr(caught.value.__cause__)
    return told


def test_a_table_in_a_projected_crs(url: str) -> None:
    listed = read_stations(DatabaseTable(url, "gis.stations"), datum="wgs84", area=AREA)
    frame = listed.frame.set_index("name")
    # rows come by the primary key
    assert listed.frame["name"].tolist() == ["丙驿站", "乙驿站", "甲驿站"]
    assert frame["lon"].to_dict() == pytest.approx(
        {"甲驿站": 115.81, "乙驿站": 115.82, "丙驿站": 115.83}, abs=1e-8
    )
    assert frame["lat"].tolist() == pytest.approx([32.89] * 3, abs=1e-8)
    assert frame["street"].tolist() == ["鼓楼街道"] * 3
    assert frame["hours"].tolist() == ["24/7"] * 3
    assert frame.loc["甲驿站", "services"] == {"water", "rest", "toilet"}
    assert frame.loc["乙驿站", "services"] == {"water", "rest"}
    assert set(frame["file"]) == {"postgresql:///postgres#gis.stations"}
    assert [e.action for e in listed.audit if e.name == "丁驿站"] == ["unmapped"]
    (table,) = read_table(DatabaseTable(url, "gis.stations"))
    row = table.frame.iloc[0]
    assert (row["built"], row["opened"], row["seats"], row["toilet"]) == (
        "2025-08-18",
        "08:00:00",
        "2.50",
        "无",
    )


def test_views_geographies_and_mixed_srids_give_the_same_places(url: str) -> None:
    places = {}
    for table in ("open_stations", "mixed", "marked"):
        frame = read_stations(DatabaseTable(url, f"gis.{table}"), datum="wgs84", area=AREA).frame
        places[table] = (
            frame.set_index("name").loc[["甲驿站", "乙驿站", "丙驿站"], ["lon", "lat"]].to_numpy(dtype=float)
        )
    for found in places.values():
        assert found == pytest.approx(places["open_stations"], abs=1e-8)
        assert found[0] == pytest.approx([115.81, 32.89], abs=1e-8)


def test_a_geometry_without_srid_is_in_the_declared_datum(url: str) -> None:
    table = read_database(DatabaseTable(url, "gis.bare"))
    assert table.crs == ""
    near, far = (
        read_stations(DatabaseTable(url, "gis.bare"), datum=datum, area=AREA).frame.iloc[0]
        for datum in ("wgs84", "gcj02")
    )
    assert (near["lon"], near["lat"]) == (115.81, 32.89)
    assert 0.003 < near["lon"] - far["lon"] < 0.008
    assert "SRID" in refused(url, "gis.half")


def test_what_cannot_be_read_is_said(
    url: str, server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    monkeypatch.delenv("PGPASSWORD", raising=False)
    assert "gis.open_stations" not in refused(url, "gis.gone")
    assert "open_stations" in refused(url, "gis.gone")
    assert "no such table" in refused(url, "nowhere.stations")
    assert "no such table" in refused(url, "gis.stations; drop table gis.stations")
    assert "权限" in refused(url, "gis.secret")
    assert "多个几何列" in refused(url, "gis.two")
    assert "空" in refused(url, "gis.none")
    assert "PGPASSWORD" in refused(url.replace(QUOTED, "wrong"), "gis.stations")
    assert "PGPASSWORD" in refused(f"postgresql://clerk@/postgres?{server}", "gis.stations")
    assert "没有这个库" in refused(url.replace("/postgres?", "/nothing?"), "gis.stations")
    assert "连不上" in refused(f"postgresql://clerk:{QUOTED}@/postgres?host=/nowhere", "gis.stations")
    assert "地址" in refused(f"postgresql://clerk:{QUOTED}@host:port/postgres", "gis.stations")


def test_nothing_is_ever_written(url: str) -> None:
    # a view may call a function that writes: the transaction is read-only
    assert "read-only" in refused(url, "gis.writes")


def test_the_password_may_come_from_the_environment_or_the_password_file(
    server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = DatabaseTable(f"postgresql://clerk@/postgres?{server}", "gis.stations")
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert len(read_database(source).rows) == 4
    monkeypatch.delenv("PGPASSWORD")
    saved = tmp_path / "pgpass"
    saved.write_text("*:*:*:clerk:" + PASSWORD.replace(":", "\\:") + "\n", encoding="ascii")
    saved.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(saved))
    assert len(read_database(source).rows) == 4


def test_the_same_content_has_the_same_hash(url: str) -> None:
    one, other = (content_sha256(read_database(DatabaseTable(url, "gis.open_stations"))) for _k in range(2))
    assert one == other
    assert one != content_sha256(read_database(DatabaseTable(url, "gis.mixed")))


def test_a_study_with_stations_of_a_database(
    url: str, server: str, sample_dir: Path, cache_dir: Path
) -> None:
    listed = read_stations(sample_dir / "stations.xlsx", datum="gcj02").frame.head(5)
    boss = sql.create_engine(f"postgresql+psycopg://boss@/postgres?{server}", poolclass=sql.NullPool)
    with boss.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE public.sample (名称 text, geom geometry(Point, 4326))")
        connection.exec_driver_sql("GRANT SELECT ON public.sample TO clerk")
        connection.execute(
            sql.text("INSERT INTO public.sample VALUES (:name, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326))"),
            listed[["name", "lon", "lat"]].to_dict("records"),
        )
    boss.dispose()
    settings = tomllib.loads((sample_dir / "study.toml").read_text(encoding="utf-8"))
    # without a boundary and communities the stations make the area: the table is read for that as well
    for sections in (settings, {key: settings[key] for key in ("study", "roads", "demand")}):
        stations = [{"database": url, "table": "sample", "datum": "wgs84", "issuer": "区总工会"}]
        study = study_from_mapping({**sections, "stations": stations}, folder=sample_dir)
        assert missing_files(study) == []
        _net, inputs = pipeline.load(study, cache_dir=cache_dir)
        assert sorted(inputs.stations["name"]) == sorted(listed["name"])
        assert len(inputs.sha256["postgresql:///postgres#sample"]) == 64
        told = repr((inputs, study)) + study.model_dump_json() + inputs.stations.to_json()
        assert QUOTED not in told
        assert "clerk" not in told.replace(repr(study), "")


def test_without_the_extra_it_is_said_how_to_get_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert 'pip install "redmap[database]"' in refused(url, "gis.stations")


def test_the_command_line_never_shows_the_password(tmp_path: Path) -> None:
    text = (
        '[study]\nname="x"\n[area]\nboundary="b.geojson"\n[roads]\nfile="r.osm"\n[[stations]]\ndatum="wgs84"\ntable="t"\n'
        f'database="postgresql://clerk:{QUOTED}@nowhere.invalid:1/x"\n'
    )
    for more in ("", 'file="s.csv"\n', "sheet=3\n"):
        (tmp_path / "study.toml").write_text(text + more, encoding="utf-8")
        for command in ("check", "build"):
            done = subprocess.run(
                [sys.executable, "-m", "geo", command, str(tmp_path)],
                cwd=ROOT,
                capture_output=True,
                check=False,
                timeout=120,
            )
            assert done.returncode == 2
            assert QUOTED.encode() not in done.stdout + done.stderr
