"""4.9: how many logs a gateway keeps."""

from .exchanges import OPENAI, chat
from .rule import DOCUMENTED
from .s4_9_limits import SECTION

add, rule = SECTION.add, SECTION.rule

NATIVE = chat("gpt-5-mini")


@rule("log-room-stops", "At `log_management` logs, `STOP_INSERTING` keeps the old ones.", DOCUMENTED)
def _(world):
    place = world.at(log_management=2, log_management_strategy="STOP_INSERTING")
    first, second = (place.ask(OPENAI, NATIVE).headers["cf-aig-log-id"] for _ in range(2))
    assert place.ask(OPENAI, NATIVE).status_code == 200
    assert {log["id"] for log in place.logs()} == {first, second}


@rule("log-room-deletes", "`DELETE_OLDEST` keeps the new ones.", DOCUMENTED)
def _(world):
    place = world.at(log_management=2, log_management_strategy="DELETE_OLDEST")
    ids = []
    for _ in range(3):
        place.clock.now += 1
        ids.append(place.ask(OPENAI, NATIVE).headers["cf-aig-log-id"])
    logs = [log["id"] for log in place.logs()]
    assert logs[0] == ids[-1]
    assert ids[0] not in logs
