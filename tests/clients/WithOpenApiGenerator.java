import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;

import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.ApiResponse;
import org.openapitools.client.api.CustomersApi;
import org.openapitools.client.model.CustomerNew;
import org.openapitools.client.model.CustomerNewDelivery;
import org.openapitools.client.model.CustomerPatch;
import org.openapitools.client.model.CustomerPatchDelivery;
import org.openapitools.client.model.CustomerPatchDeliveryPostalCode;

/** The flow of flow.ts with the client that openapi-generator makes for Java: API_URL is where the API is. */
class WithOpenApiGenerator {
  interface Call {
    ApiResponse<?> send() throws ApiException;
  }

  static void check(boolean condition) {
    if (!condition) throw new AssertionError("the flow failed");
  }

  /** The client throws every status that is not 2xx. */
  static void checkFails(int status, Call call) {
    try {
      call.send();
    } catch (ApiException error) {
      check(error.getCode() == status);
      return;
    }
    check(false);
  }

  static String header(ApiResponse<?> answer, String name) {
    return answer.getHeaders().getOrDefault(name, List.of("")).get(0);
  }

  public static void main(String[] arguments) throws ApiException {
    var client = new ApiClient();
    client.updateBaseUri(System.getenv("API_URL"));
    var api = new CustomersApi(client);
    var row = new CustomerNew().customerName("Made with openapi-generator for Java").phoneNumber("1").faxNumber("2").websiteURL("http://example.com")
        .delivery(new CustomerNewDelivery().addressLine1("Street 1").addressLine2("Floor 2").postalCode(new CustomerPatchDeliveryPostalCode("12345")));

    var key = UUID.randomUUID().toString();
    var created = api.postCustomerWithHttpInfo(row, key, null, null, null, null, null);
    check(created.getStatusCode() == 201);
    var id = created.getData().get(0).getCustomerID();
    var again = api.postCustomerWithHttpInfo(row, key, null, null, null, null, null);
    check(header(again, "idempotency-replayed").equals("true") && again.getData().get(0).getCustomerID().equals(id));

    var read = api.getCustomerWithHttpInfo(id, null, null, null, null, null, null, null);
    check(read.getData().get(0).getCustomerName().equals(row.getCustomerName()));
    var version = header(read, "etag");
    checkFails(304, () -> api.getCustomerWithHttpInfo(id, version, null, null, null, null, null, null));

    // What is not set is not sent: the second line stays.
    var patch = new CustomerPatch().delivery(new CustomerPatchDelivery().addressLine1("Street 3"));
    var changed = api.updateCustomerWithHttpInfo(id, patch, null, version, null, null, null, null, null);
    check(changed.getStatusCode() == 202 && changed.getData().get(0).getDelivery().getAddressLine2().equals("Floor 2"));
    checkFails(412, () -> api.updateCustomerWithHttpInfo(id, patch, null, version, null, null, null, null, null));

    var ids = new ArrayList<Integer>();
    for (Integer after = 0; after != null;) {
      var page = api.listCustomersWithHttpInfo(after, 250, null, null, null, null, null, null);
      page.getData().forEach(customer -> ids.add(customer.getCustomerID()));
      var next = Pattern.compile("after=(\\d+)").matcher(header(page, "link"));
      after = next.find() ? Integer.valueOf(next.group(1)) : null;
    }
    check(ids.size() > 600 && new HashSet<>(ids).size() == ids.size() && ids.contains(id));

    check(api.deleteCustomerWithHttpInfo(id, null, null, null, null, null, null, null).getStatusCode() == 202);
    checkFails(404, () -> api.getCustomerWithHttpInfo(id, null, null, null, null, null, null, null));
    System.out.println("  ✓ openapi-generator for Java");
  }
}
