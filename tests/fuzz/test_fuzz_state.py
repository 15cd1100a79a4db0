"""In any order of changes, keys, calls, time and patches, the gateway does what a small model of it does."""

import json
from dataclasses import dataclass, field
from types import SimpleNamespace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

API = "/client/v4/accounts/acct/ai-gateway/gateways"
GATEWAYS = ("default", "a", "b")
FIXED = {"collect_logs": True, "rate_limiting_interval": 0, "rate_limiting_limit": 0, "retry_delay": 0}
DEFAULT_TTL = 300

gateways = st.sampled_from(GATEWAYS)
ttls = st.sampled_from([0, 60, 3600])
labels = st.dictionaries(
    st.sampled_from("uvwxyz"), st.text(max_size=3) | st.integers(-5, 5) | st.booleans(), max_size=4
)


@dataclass
class Gateway:
    """What the model knows of a gateway that exists."""

    ttl: int = 0
    keys: dict = field(default_factory=dict)
    cached: dict = field(default_factory=dict)


class GatewayMachine(RuleBasedStateMachine):
    new_world = None

    @initialize()
    def begin(self):
        self.now = 1_700_000_000.0
        self.world = type(self).new_world(gateways={}, clock=lambda: self.now)
        self.there = {"default": Gateway()}
        self.logs = {name: [] for name in GATEWAYS}

    def teardown(self):
        if hasattr(self, "world"):
            try:
                self.world.check()
            finally:
                self.world.close()

    def api(self, method, path="", body=None):
        answer = self.world.ask(method, API + path, b"" if body is None else json.dumps(body).encode())
        return answer.status, json.loads(answer.body)

    @rule(name=gateways, ttl=ttls)
    def make(self, name, ttl):
        body = {"id": name, **FIXED, "cache_ttl": ttl, "cache_invalidate_on_update": False}
        status, _ = self.api("POST", body=body)
        assert status == (400 if name in self.there else 200)
        self.there.setdefault(name, Gateway(ttl))

    @rule(name=gateways, ttl=ttls, empties=st.booleans())
    def change(self, name, ttl, empties):
        body = {**FIXED, "cache_ttl": ttl, "cache_invalidate_on_update": empties}
        status, shown = self.api("PUT", f"/{name}", body)
        assert status == (200 if name in self.there else 404)
        if name in self.there:
            assert shown["result"]["cache_ttl"] == ttl
            self.there[name].ttl = ttl
            if empties:
                self.there[name].cached.clear()

    @rule(name=gateways)
    def delete(self, name):
        status, _ = self.api("DELETE", f"/{name}")
        assert status == (200 if name in self.there else 404)
        self.there.pop(name, None)
        if name == "default":
            self.there[name] = Gateway()

    @rule(name=gateways, alias=st.sampled_from(["default", "k"]))
    def store_key(self, name, alias):
        body = {"provider_slug": "openai", "alias": alias, "secret": "sk-fuzz-0123456789"}
        status, shown = self.api("POST", f"/{name}/provider_configs", body)
        if name not in self.there:
            assert status == 404
        elif alias in self.there[name].keys:
            assert status == 400
        else:
            assert status == 200
            self.there[name].keys[alias] = shown["result"]["id"]

    @rule(name=gateways, alias=st.sampled_from(["default", "k"]))
    def forget_key(self, name, alias):
        known = self.there[name].keys.pop(alias, "nobody") if name in self.there else "nobody"
        status, _ = self.api("DELETE", f"/{name}/provider_configs/{known}")
        assert status == (404 if known == "nobody" else 200)

    @rule(
        name=gateways,
        prompt=st.sampled_from(["one", "two"]),
        key=st.sampled_from([None, None, "k1"]),
        ttl=st.sampled_from([None, None, 0, 120]),
        skips=st.sampled_from([False, False, True]),
        alias=st.sampled_from([None, None, "default", "k"]),
        metadata=labels,
    )
    def call(self, name, prompt, key, ttl, skips, alias, metadata):
        options = {
            "cf-aig-cache-key": key,
            "cf-aig-cache-ttl": None if ttl is None else str(ttl),
            "cf-aig-skip-cache": "true" if skips else None,
            "cf-aig-byok-alias": alias,
            "cf-aig-metadata": json.dumps(metadata) if metadata else None,
        }
        body = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": prompt}]}
        fields = tuple((option, value) for option, value in options.items() if value is not None)
        answer = self.world.ask("POST", f"/v1/acct/{name}/openai/chat/completions", json.dumps(body).encode(), fields)
        if name not in self.there:
            assert (answer.status, "cf-aig-log-id" in answer.headers) == (400, False)
            return
        gateway = self.there[name]
        cache, hit = self.looked_up(gateway, prompt, key, ttl, skips=skips)
        unknown = alias is not None and bool(gateway.keys) and alias not in gateway.keys
        assert answer.status == (400 if unknown and not hit else 200)
        if answer.status == 200:
            assert answer.headers.get("cf-aig-cache-status") == cache
            if cache == "MISS" and not skips:
                gateway.cached[key or prompt] = self.now + self.lifetime(gateway, ttl)
        log = SimpleNamespace(id=answer.headers["cf-aig-log-id"], metadata=dict(metadata), feedback=None)
        log.cached = answer.status == 200 and hit
        self.logs[name].append(log)

    @staticmethod
    def lifetime(gateway, ttl):
        return ttl if ttl is not None else gateway.ttl or DEFAULT_TTL

    def looked_up(self, gateway, prompt, key, ttl, *, skips):
        if ttl == 0 or not (gateway.ttl or key):
            return None, False
        hit = not skips and gateway.cached.get(key or prompt, 0) > self.now
        return "HIT" if hit else "MISS", hit

    @rule(seconds=st.sampled_from([1, 100, 4000]))
    def wait(self, seconds):
        self.now += seconds

    @precondition(lambda self: any(self.logs.values()))
    @rule(data=st.data(), feedback=st.sampled_from([1, -1, 0, None]), metadata=labels)
    def patch(self, data, feedback, metadata):
        name = data.draw(st.sampled_from([name for name, logs in self.logs.items() if logs]))
        log = data.draw(st.sampled_from(self.logs[name]))
        status, _ = self.api("PATCH", f"/{name}/logs/{log.id}", {"feedback": feedback, "metadata": metadata})
        assert status == (200 if name in self.there else 404)
        if name in self.there:
            log.feedback = feedback
            log.metadata = dict(list({**log.metadata, **metadata}.items())[:5])

    @precondition(lambda self: any(self.logs.values()))
    @rule(data=st.data())
    def read(self, data):
        name = data.draw(st.sampled_from([name for name, logs in self.logs.items() if logs]))
        log = data.draw(st.sampled_from(self.logs[name]))
        status, body = self.api("GET", f"/{name}/logs/{log.id}")
        assert status == (200 if name in self.there else 404)
        if name in self.there:
            shown = body["result"]
            assert (shown.get("feedback"), shown.get("metadata", {})) == (log.feedback, log.metadata)
            assert shown["cached"] == log.cached

    @invariant()
    def every_log_is_listed(self):
        for name in getattr(self, "there", ()):
            status, body = self.api("GET", f"/{name}/logs?per_page=50")
            assert status == 200
            newest = [log.id for log in reversed(self.logs[name])][:50]
            assert sorted(log["id"] for log in body["result"]) == sorted(newest)
            assert body["result_info"]["total_count"] == len(self.logs[name])

    @invariant()
    def the_gateways_that_are_there_are_listed(self):
        if hasattr(self, "there"):
            _, body = self.api("GET")
            assert [gateway["id"] for gateway in body["result"]] == sorted(self.there)


def test_the_gateway_does_what_its_model_does(new_world, profile, is_deep):
    GatewayMachine.new_world = new_world
    depth = settings(profile, stateful_step_count=80 if is_deep else 30, max_examples=600 if is_deep else 40)
    run_state_machine_as_test(GatewayMachine, settings=depth)
