"""What symlog says of its groove: the subtree, its digest, what was refused; and edits by JSON-RPC."""

import json

from model.shape import differences
from serving import call, receive, run_symlog, wait_until


GROOVE = "grooves[0]"


def groove_node(subscriber):
    """The subtree, or None while there is none."""
    return call(subscriber, "query", path=GROOVE).get("result")


def edit(subscriber, event):
    """groove.edit: the response, result or error."""
    return call(subscriber, "groove.edit", evt=event)


def edits(subscriber, *events):
    for event in events:
        response = edit(subscriber, event)
        assert "error" not in response, (event, response)


def value(subscriber, name):
    """An attribute of the groove."""
    return (groove_node(subscriber) or {"attributes": {}})["attributes"].get(name)


def wait_for_value(subscriber, name, wanted):
    wait_until(lambda: value(subscriber, name) == wanted, f"groove.{name} = {wanted}")


def levels(node):
    """The steps of each lane."""
    lanes = [child for child in node["children"] if child["node_type"] == "lane"]
    return [[step["attributes"]["level"] for step in lane["children"]] for lane in lanes]


def differing(groove, node):
    """Where the model's groove and symlog's node differ."""
    if node is None:
        return ["there is no groove"]
    return list(differences(groove.to_ast(), node))[:10]


def wait_until_as(subscriber, groove):
    """Waits until symlog's groove is as the model's; then says where not."""
    try:
        wait_until(lambda: not differing(groove, groove_node(subscriber)), "the same groove", patience_s=5)
    except AssertionError:
        raise AssertionError(differing(groove, groove_node(subscriber))) from None


def refusals(subscriber):
    """How many frames and edits were refused, by reason, whoever sent them; as far as it is known by now."""
    total = {}
    for source in call(subscriber, "stat")["result"]["sources"]:
        for reason, count in source.get("refused", {}).items():
            total[reason] = total.get(reason, 0) + count
    return {reason: count for reason, count in total.items() if count}


def open_control(serve, take_first=True):
    """A subscriber to ask questions through."""
    subscriber = serve.subscribe(max_queue=None, legacy=True)
    if take_first:
        receive(subscriber)
    return subscriber


def replayed_groove(db, *options):
    """The subtree as replay has it, or None."""
    ended = run_symlog("replay", "--db", db, *options, "--state", "--json")
    assert ended.returncode == 0, ended.stderr
    children = json.loads(ended.stdout)["children"]
    return next((child for child in children if child["node_type"] == "groove"), None)
