"""What calls cost, read from the gateway's logs: by handlers, captures, the resolver, and printed after a block."""

import io

import pytest

import aigw

COST = {"custom_cost": {"per_token_in": 0.001, "per_token_out": 0.002}}


@pytest.fixture
def spent(client):
    """Read what the gateway says all its calls cost."""
    return lambda: sum(log.cost for log in client.gateway().iter_logs())


@pytest.fixture
def paid(make):
    """Make models whose tokens cost something, for a team."""

    def paid(team="a", *, options=None, **fields):
        return make(gateway_options={**COST, **(options or {"metadata": {"team": team}})}, **fields)

    return paid


def test_a_handler_adds_up_what_its_calls_cost(adapter, paid, spent):
    with adapter.recording() as handler:
        for team in ("a", "b", "b"):
            adapter.ask(paid(team))
    costs = handler.costs(by="team", wait=5)
    assert {row.name: row.calls for row in costs} == {"a": 1, "b": 2}
    assert costs.total.cost == pytest.approx(spent())
    assert costs.total.unknown_cost == 0
    assert [row.name for row in handler.costs()] == ["openai/gpt-5-mini"]
    assert len(handler.costs(by="run")) == 3


async def test_it_is_the_same_in_async_code(adapter, paid, spent):
    model = paid()
    with adapter.recording() as handler:
        await adapter.aask(model)
    costs = await handler.acosts(wait=5)
    assert costs.total.cost == pytest.approx(spent())
    await model.aclose()


def test_what_is_read_once_is_not_read_again(adapter, paid, http_client, sent):
    with adapter.package.capture_logs() as logs:
        adapter.ask(paid(http_client=http_client))
    first = logs.costs(wait=5)
    assert sent[-1].endswith(f"/logs/{logs.log_ids[0]}")
    sent.clear()
    assert logs.costs(wait=5) == first
    assert sent == []


@pytest.mark.parametrize("by", ["", 7])
async def test_what_cannot_tell_rows_apart_is_refused_before_a_log_is_read(adapter, paid, http_client, sent, by):
    with adapter.recording() as handler, adapter.package.capture_logs() as logs:
        adapter.ask(paid(http_client=http_client))
    sent.clear()
    for who in (handler, logs):
        with pytest.raises(aigw.ConfigurationError, match="by cannot be"):
            who.costs(by=by)
        with pytest.raises(aigw.ConfigurationError, match="by cannot be"):
            await who.acosts(by=by)
    assert sent == []


def test_the_gateways_cache_is_counted(adapter, paid):
    model = paid(options={"cache_key": "hi"})
    with adapter.package.capture_logs() as logs:
        adapter.ask(model)
        adapter.ask(model)
    total = logs.costs(wait=5).total
    assert (total.calls, total.cached, total.unknown_cost) == (2, 1, 0)


def test_a_resolver_in_another_process_reads_what_a_call_cost(adapter, paid, client, spent):
    with adapter.package.capture_logs() as logs:
        adapter.ask(paid())
    event_id = logs.calls[0].event_id or logs.log_ids[0]
    resolver = aigw.LogResolver(client)
    (call,) = resolver.reconcile(event_id, wait=5)
    assert (call.log_id, call.cost) == (logs.log_ids[0], pytest.approx(spent()))
    assert resolver.costs(event_id).total.cost == pytest.approx(spent())
    assert [row.name for row in resolver.costs(logs, by="team")] == ["a"]


async def test_a_resolver_does_so_in_async_code(adapter, paid, gateway, spent):
    with adapter.package.capture_logs() as logs:
        adapter.ask(paid())
    async with aigw.AsyncAIGateway("acct", "test-token", base_url=gateway.base_url) as client:
        costs = await aigw.LogResolver(async_client=client).acosts(logs.log_ids[0], wait=5)
    assert costs.total.cost == pytest.approx(spent())


def test_a_table_is_printed_when_the_block_ends(adapter, paid, capsys, spent):
    with adapter.package.get_cost_callback() as callback:
        adapter.ask(paid())
        assert capsys.readouterr().out == ""
    assert callback.total_cost == pytest.approx(spent())
    assert capsys.readouterr().out == f"{callback}\n"
    assert str(callback).splitlines()[0].startswith("model")


async def test_a_table_is_printed_when_an_async_block_ends(adapter, paid, spent):
    model, printed = paid(), io.StringIO()
    async with adapter.package.get_cost_callback(by="team", file=printed) as callback:
        await adapter.aask(model)
    assert printed.getvalue() == f"{callback.costs}\n"
    assert callback.total_cost == pytest.approx(spent())
    await model.aclose()


def test_a_block_may_keep_its_table_to_itself(adapter, paid, capsys):
    with adapter.package.get_cost_callback(prints=False) as callback:
        adapter.ask(paid())
    assert (capsys.readouterr().out, callback.costs.total.calls) == ("", 1)


def test_logs_that_cannot_be_read_cost_nobody_the_answer(adapter, paid, gateway, caplog):
    with adapter.package.get_cost_callback(prints=False, wait=0) as callback:
        said = adapter.ask(paid(max_retries=0))
        gateway.__exit__(None, None, None)
    assert said
    assert (callback.costs.total.unknown_cost, callback.total_cost) == (1, 0.0)
    assert "what calls cost could not be read" in caplog.text


def test_an_error_in_the_block_stays_the_callers(adapter, paid):
    callback = adapter.package.get_cost_callback(prints=False)
    with pytest.raises(KeyError), callback:  # noqa: PT012  the error is of the block
        adapter.ask(paid())
        raise KeyError
    assert callback.costs.total.calls == 1


def test_before_its_block_a_callback_has_no_calls(adapter):
    callback = adapter.package.get_cost_callback()
    assert (callback.costs.total.calls, callback.total_cost) == (0, 0.0)
    assert "total" in str(callback)


@pytest.mark.parametrize(("name", "value"), [("file", 5), ("wait", "x" * 999)])
def test_what_cannot_be_of_a_callback_is_refused_before_its_block(adapter, name, value):
    with pytest.raises(aigw.ConfigurationError, match=f"{name} cannot be") as raised:
        adapter.package.get_cost_callback(**{name: value})
    assert len(str(raised.value)) < 400


def test_costs_are_written_to_whatever_can_be_written_to(adapter, paid):
    class Pages:
        text = ""

        def write(self, text):
            self.text += text

    pages = Pages()
    with adapter.package.get_cost_callback(file=pages):
        adapter.ask(paid())
    assert "openai" in pages.text
