"""Sends with Ozeki's own client library: address, user, password, recipient and text as arguments."""

import sys

from ozekilibsrest import Configuration, Message, MessageApi

address, user, password, recipient, text = sys.argv[1:]
api = MessageApi(Configuration(username=user, password=password, api_url=f"http://{address}/api"))
result = api.send(Message(to_address=recipient, text=text))
print(result.status)
