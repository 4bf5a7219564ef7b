"""The clients of the design guide: Service A as it asks Service B for user 123, before gRPC and with it.

testing-client.py grpc|rest ADDRESS    prints "Name: Alice, Age: 30"
"""

import json
import sys
import urllib.request


def ask_by_grpc(address):
    import grpc
    import user_pb2
    import user_pb2_grpc

    with grpc.insecure_channel(address) as channel:
        stub = user_pb2_grpc.UserServiceStub(channel)
        user = stub.GetUser(user_pb2.UserRequest(id=123))
    return user.name, user.age


def ask_by_rest(address):
    with urllib.request.urlopen(f"http://{address}/api/users/123") as answer:
        user = json.load(answer)
    return user["name"], user["age"]


style, address = sys.argv[1:]
name, age = {"grpc": ask_by_grpc, "rest": ask_by_rest}[style](address)
print(f"Name: {name}, Age: {age}")
