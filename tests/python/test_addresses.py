"""Addresses are printed without their secrets."""

from segmentacao.addresses import redact, safe_address


def test_credentials_are_cut_out_of_foreign_messages():
    uri = "mysql+x://eu:a/b@c%20d@banco:1/db?ssl_key=chave"
    text = f"no {uri}; a/b@c d; chave; http://z:w@outro/"
    assert redact(text, uri) == ("no mysql+x://banco:1/db; ***; ***; http://***@outro/")


def test_a_password_nobody_escaped_is_cut_out_too():
    uri = "http://eu:se?gr#e/do@servidor:5000/x"
    assert safe_address(uri) == "http://servidor:5000/x"


def test_the_path_of_a_file_is_no_secret():
    uri = "sqlite:////home/eu@casa/mlflow.db"
    assert redact(f"sem {uri}", uri) == f"sem {uri}"
