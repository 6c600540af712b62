"""Public holidays: the ten of the law, and Easter as the churches' tables have it."""

from datetime import date, timedelta

import pytest

from rempart.site.holiday import easter, is_holiday


@pytest.mark.parametrize(
    "sunday",
    [
        "1943-04-25",
        "1954-04-18",
        "1981-04-19",
        "2008-03-23",
        "2027-03-28",
        "2028-04-16",
        "2038-04-25",
        "2049-04-18",
        "2076-04-19",
        "2100-03-28",
    ],
)
def test_easter_falls_where_the_tables_have_it(sunday: str) -> None:
    assert easter(int(sunday[:4])).isoformat() == sunday


def test_the_holidays_of_a_year_are_the_ten_of_the_royal_decree() -> None:
    year = (date(2027, 1, 1) + timedelta(days=ahead) for ahead in range(365))
    assert [f"{day:%d/%m}" for day in year if is_holiday(day)] == [
        "01/01",
        "29/03",
        "01/05",
        "06/05",
        "17/05",
        "21/07",
        "15/08",
        "01/11",
        "11/11",
        "25/12",
    ]
