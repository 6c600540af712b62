"""What somebody does who owns the console's process: run as its user, while a technician signs in through it.

Prints one JSON object: what the guard answered to each order, and which deeds against its files worked.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pyotp
from msgspec import structs

from rempart.accounts.conversation import LinkOpened, LinkUsed, PasskeyAnswer, Question, SignIn
from rempart.adapters.socket import connect
from rempart.engine.orders import AnyOrder
from rempart.messages import ChallengeAsked, OrderDone, Ordered
from station.passkey import SoftPasskey
from station.wrong_orders import EXAMPLES

RUN, STATE, LINK, PERSON, ORIGIN = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:6]
SOCKET = RUN / "guard/console.sock"
PASSWORD = "correct horse battery"


def ask(message: object) -> object:
    with connect(SOCKET) as client:
        client.send(message)  # type: ignore[arg-type]
        return client.receive(seconds=10)


def signed_in() -> str:
    """The technician chooses a password, a generator and a passkey, and signs in: the console sees the session."""
    good: Any = ask(LinkOpened(link=LINK))
    code, passkey = pyotp.TOTP(good.totp).at(int(time.time())), SoftPasskey(origin=ORIGIN)
    made = passkey.made(good.options)
    kept: Any = ask(LinkUsed(link=LINK, handle=good.handle, password=PASSWORD, code=code, passkey=made))
    opened: Any = ask(SignIn(name=PERSON, password=PASSWORD, code=kept.recovery[0]))
    return str(opened.secret)


def forged(session: str, order: AnyOrder) -> PasskeyAnswer | None:
    """A passkey of the attacker's own answers the guard's honest question."""
    question = ask(ChallengeAsked(order=order, session=session))
    if not isinstance(question, Question):
        return None
    named = json.loads(question.options)["allowCredentials"][0]["id"]
    own = SoftPasskey(origin=ORIGIN, count=1000)
    answer = json.loads(own.signed(question.options))
    return PasskeyAnswer(handle=question.handle, response=json.dumps({**answer, "id": named, "rawId": named}))


def attempts(session: str) -> dict[str, str]:
    """Every order, with the stolen session alone and with a forged confirmation."""
    heard = {}
    for number, example in enumerate(EXAMPLES):
        order = structs.replace(example, by=PERSON)
        for how, answer in (("session", None), ("forged", forged(session, order))):
            if how == "forged" and answer is None:
                continue
            said = ask(Ordered(order=order, session=session, answer=answer))
            done = isinstance(said, OrderDone)
            heard[f"{number} {type(order).__name__} {how}"] = "done" if done else "refused"
    return heard


def deeds() -> dict[str, bool]:
    """Reading what is the guard's, writing to it, speaking where the operator speaks."""
    return {
        **{
            f"read {each}": _works(lambda each=each: (STATE / "guard" / each).read_bytes()) for each in _FILES
        },
        **{
            f"write {each}": _works(lambda each=each: (STATE / "guard" / each).write_bytes(b""))
            for each in _FILES
        },
        "list keys": _works(lambda: list((STATE / "guard/keys").iterdir())),
        "replace the socket": _works(SOCKET.unlink),
        "speak as the operator": _works(_as_operator),
    }


_FILES = ("journal.db", "accounts.db", "keys/any")


def _as_operator() -> None:
    with connect(RUN / "guard/operator.sock") as client:
        client.send(Ordered(order=structs.replace(EXAMPLES[0], by="root")))
        client.receive(seconds=3)


def _works(deed: object) -> bool:
    try:
        deed()  # type: ignore[operator]
    except Exception:
        return False
    return True


if __name__ == "__main__":
    print(json.dumps({"orders": attempts(signed_in()), "deeds": deeds()}))
