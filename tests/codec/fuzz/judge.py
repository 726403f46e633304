"""Judges what the codec makes of texts, by Python's json: one line of JSON in, one line of JSON out.

In: [[text, code of the error or null, message encoded again or null], ...]. Out: for each, null or what is wrong.
"""

import json
import math
import re
import sys

sys.set_int_max_str_digits(0)
sys.setrecursionlimit(5000)
LARGEST = 2**53


class Literal(str):
    """A number that decoding makes a string."""


def read_int(text):
    value = int(text)
    return value if -LARGEST <= value <= LARGEST else Literal(text)


def read_float(text):
    value = float(text)
    return value if math.isfinite(value) else Literal(text)


def refuse(name):
    raise ValueError(name)


def well_formed(text):
    paired = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return re.sub("[\ud800-\udfff]", "\ufffd", paired)


class Id(float):
    """An id that is no integer: JavaScript writes it in a way of its own."""


def name_id(holder, key):
    value = holder.get(key)
    if isinstance(value, float):
        holder[key] = Id(value)
    elif isinstance(value, int):
        holder[key] = str(value)


def without_nulls(info):
    for key in [key for key, value in info.items() if value is None]:
        del info[key]


def change_party(party):
    for key, name in (("user_info", "user_id"), ("group_info", "group_id")):
        if party.get(key) is not None:
            name_id(party[key], name)
            without_nulls(party[key])
    without_nulls(party)


def change(message):
    """Changes a message as decoding and encoding do."""
    if message.get("is_custom_message") is True:
        return message
    info = message["message_info"]
    name_id(info, "message_id")
    if isinstance(info.get("time"), Literal):
        info["time"] = float(info["time"])
    for key in ("format_info", "template_info"):
        if info.get(key) is not None:
            without_nulls(info[key])
    for key in ("sender_info", "receiver_info"):
        if info.get(key) is not None:
            change_party(info[key])
    change_party(info)
    return message


def difference(want, got, path="$"):
    if isinstance(want, Id):
        return None if isinstance(got, str) and float(got) == want else f"{path}: id {want!r} became {got!r}"
    if isinstance(want, str):
        return None if isinstance(got, str) and well_formed(want) == got else f"{path}: {want!r} became {got!r}"
    if isinstance(want, bool) or want is None:
        return None if want is got else f"{path}: {want!r} became {got!r}"
    if isinstance(want, (int, float)):
        same = not isinstance(got, bool) and isinstance(got, (int, float)) and float(want) == float(got)
        return None if same else f"{path}: {want!r} became {got!r}"
    if isinstance(want, list):
        if not isinstance(got, list) or len(want) != len(got):
            return f"{path}: another list"
        return next(filter(None, (difference(a, b, f"{path}[{i}]") for i, (a, b) in enumerate(zip(want, got)))), None)
    if not isinstance(got, dict):
        return f"{path}: no object"
    want = {well_formed(key): value for key, value in want.items()}
    if want.keys() != got.keys():
        return f"{path}: members {sorted(want.keys() ^ got.keys())!r}"
    return next(filter(None, (difference(value, got[key], f"{path}.{key}") for key, value in want.items())), None)


def judge(text, code, again):
    try:
        value = json.loads(text, parse_int=read_int, parse_float=read_float, parse_constant=refuse)
    except RecursionError:
        return None
    except ValueError as error:
        return None if code == "invalid_json" else f"Python refuses it: {error}"
    if code == "invalid_json":
        return "Python takes it"
    if again is None:
        return None
    return difference(change(value), json.loads(again))


def main():
    for line in sys.stdin:
        print(json.dumps([judge(*case) for case in json.loads(line)]), flush=True)


if __name__ == "__main__":
    main()
