"""The flow of flow.ts with the client that openapi-python-client makes: API_URL is where the API is."""

import os
import re
import sys
import uuid

from customer_api_client import Client
from customer_api_client.api.customers import delete_customer, get_customer, list_customers, post_customer, update_customer
from customer_api_client.models import CustomerNew, CustomerNewDelivery, CustomerPatch

client = Client(base_url=os.environ["API_URL"])
row = CustomerNew(
    customer_name="Made with openapi-python-client",
    phone_number="1",
    fax_number="2",
    website_url="http://example.com",
    delivery=CustomerNewDelivery(address_line_1="Street 1", postal_code="12345"),
)


def check(condition: bool) -> None:
    if not condition:
        sys.exit("the flow failed at line " + str(sys._getframe(1).f_lineno))


key = str(uuid.uuid4())
created = post_customer.sync_detailed(client=client, body=row, idempotency_key=key)
check(created.status_code == 201)
number = created.parsed[0].customer_id
again = post_customer.sync_detailed(client=client, body=row, idempotency_key=key)
check(again.headers["idempotency-replayed"] == "true" and again.parsed[0].customer_id == number)

read = get_customer.sync_detailed(number, client=client)
check(read.parsed[0].customer_name == row.customer_name)
version = read.headers["etag"]
check(get_customer.sync_detailed(number, client=client, if_none_match=version).status_code == 304)

update = CustomerPatch(fax_number="3")
check(update_customer.sync_detailed(number, client=client, body=update, if_match=version).status_code == 202)
lost = update_customer.sync_detailed(number, client=client, body=CustomerPatch(fax_number="4"), if_match=version)
check(lost.status_code == 412 and lost.parsed.type_ == "../problems#precondition-failed")

numbers: list[int] = []
after = 0
while True:
    page = list_customers.sync_detailed(client=client, after=after, limit=250)
    numbers += [customer.customer_id for customer in page.parsed]
    following = re.search(r"after=(\d+)", page.headers.get("link", ""))
    if not following:
        break
    after = int(following[1])
check(len(numbers) > 600 and len(set(numbers)) == len(numbers) and number in numbers)

check(delete_customer.sync_detailed(number, client=client).status_code == 202)
check(get_customer.sync_detailed(number, client=client).status_code == 404)
print("  ✓ openapi-python-client")
