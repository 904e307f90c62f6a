"""The values of JSON Schema that a column can keep, by the rules of `ops.field_error` in sql/04-field_error.sql."""

import json
import re
from datetime import datetime, timezone
from decimal import Decimal
from uuid import UUID

DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
GUID = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
# Code page 1252, that of Latin1_General.
CODE_PAGE = {bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256)}

# The values that were sent and that no two rows have, by column.
USED = {}


def is_excusable(schema, value):
    """True if the API may refuse a value that the schema allows."""
    # Where a page begins, only a link says (`x-cursor`).
    return "x-cursor" in schema or json.dumps(fit(schema, value)) != json.dumps(value)


def fit(schema, value):
    """A value that the schema allows, or one like it where a column cannot keep it."""
    if isinstance(value, str):
        return fit_text(schema, value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    # A number that is taken as text has the length of that.
    if "string" in schema.get("type", []):
        return value if len(json.dumps(value)) <= schema.get("maxLength", len(json.dumps(value))) else 0
    # Neither 1.0 nor 1e3.
    if "integer" in schema.get("type", []):
        return int(value)
    # The limits of FLOAT and REAL stand in no schema.
    limit = {"double": 1.79e308, "float": 3.4e38}.get(schema.get("format"))
    if limit and not abs(value) <= limit:
        return 0
    return fit_decimal(schema, value) if "x-decimals" in schema else value


def fit_text(schema, text):
    """The same of a text: of a length in UTF-16, of characters in the code page, of a date in the calendar."""
    # JSON Schema takes a format for a note.
    if schema.get("format") == "uuid":
        return text if re.fullmatch(GUID, text) else str(UUID(int=0))
    if schema.get("format") == "date":
        return text if re.fullmatch(DATE, text) and is_possible(text) else "2026-01-31"
    if "pattern" in schema and re.match(DATE, text):
        return text if is_possible(text) else "2026-01-31" + text[10:]
    if "x-code-page" in schema:
        text = "".join(character if character in CODE_PAGE else "?" for character in text)
    units = text.encode("utf-16-le", "surrogatepass")
    limit = schema.get("maxLength", len(units))
    return text if len(units) // 2 <= limit else units[: 2 * limit].decode("utf-16-le", "ignore")


def is_possible(text):
    """True if there is such a day, also in UTC."""
    try:
        time = datetime.fromisoformat(text)
        return time.tzinfo is None or time.astimezone(timezone.utc) is not None
    except (ValueError, OverflowError):
        return False


def fit_decimal(schema, number):
    """The number without an exponent, and without more digits behind the point."""
    text, decimals = json.dumps(number), schema["x-decimals"]
    # The largest number has only nines, unless they are too many for a binary number, which rounds it up.
    if abs(number) == schema.get("maximum") and Decimal(text).normalize().as_tuple().digits == (1,):
        return 0
    whole, _, behind = f"{Decimal(text):f}".partition(".")
    if "e" not in text and len(behind) <= decimals:
        return number
    shorter = float(f"{whole}.{behind[:decimals]}") if decimals else int(whole)
    return int(whole) if "e" in json.dumps(shorter) else shorter


def fresh(column, value, schema):
    """The value, or a variation of it when it was used before. Collations may tell neither cases nor blanks apart."""
    used = USED.setdefault(column, set())
    if str(value).casefold().rstrip() in used:
        number = len(used)
        if not isinstance(value, str):
            least, most = schema.get("minimum", 0), schema.get("maximum", 2**31 - 1)
            value = least + (value - least + number) % (most - least + 1)
        elif schema.get("format") == "uuid":
            value = str(UUID(int=number))
        else:
            value = value[: schema.get("maxLength", len(value)) - len(f"-{number}")] + f"-{number}"
    used.add(str(value).casefold().rstrip())
    return value
