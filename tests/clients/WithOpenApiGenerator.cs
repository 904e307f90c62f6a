// The flow of flow.ts with the client that openapi-generator makes for C#: API_URL is where the API is.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using CustomerApi.Api;
using CustomerApi.Client;
using CustomerApi.Model;

static class WithOpenApiGenerator
{
    static void Check(bool condition, [CallerLineNumber] int line = 0)
    {
        if (!condition) throw new Exception("the flow failed at line " + line);
    }

    // The client throws every status of 400 or above.
    static void CheckFails(int status, Action call)
    {
        try
        {
            call();
        }
        catch (ApiException error)
        {
            Check(error.ErrorCode == status);
            return;
        }
        Check(false);
    }

    static string Header<T>(ApiResponse<T> answer, string name) =>
        answer.Headers.TryGetValue(name, out var values) ? values.First() : "";

    static void Main()
    {
        var api = new CustomersApi(Environment.GetEnvironmentVariable("API_URL"));
        var place = new CustomerNewDelivery("Street 1", "Floor 2", new CustomerPatchDeliveryPostalCode("12345"));
        var row = new CustomerNew("Made with openapi-generator for C#", "1", "2", "http://example.com", place);

        var key = Guid.NewGuid().ToString();
        var created = api.PostCustomerWithHttpInfo(row, key);
        Check((int)created.StatusCode == 201);
        var id = created.Data[0].CustomerID;
        var again = api.PostCustomerWithHttpInfo(row, key);
        Check(Header(again, "Idempotency-Replayed") == "true" && again.Data[0].CustomerID == id);

        var read = api.GetCustomerWithHttpInfo(id);
        Check(read.Data[0].CustomerName == row.CustomerName);
        var version = Header(read, "ETag");
        Check((int)api.GetCustomerWithHttpInfo(id, ifNoneMatch: version).StatusCode == 304);

        var patch = new CustomerPatch { FaxNumber = "3" };
        var changed = api.UpdateCustomerWithHttpInfo(id, patch, ifMatch: version);
        Check((int)changed.StatusCode == 202 && changed.Data[0].Delivery.AddressLine2 == "Floor 2");
        CheckFails(412, () => api.UpdateCustomerWithHttpInfo(id, patch, ifMatch: version));

        var ids = new List<int>();
        for (int? after = 0; after != null;)
        {
            var page = api.ListCustomersWithHttpInfo(after, 250);
            ids.AddRange(page.Data.Select(customer => customer.CustomerID));
            var next = Regex.Match(Header(page, "Link"), @"after=(\d+)");
            after = next.Success ? int.Parse(next.Groups[1].Value) : (int?)null;
        }
        Check(ids.Count > 600 && ids.Distinct().Count() == ids.Count && ids.Contains(id));

        Check((int)api.DeleteCustomerWithHttpInfo(id).StatusCode == 202);
        CheckFails(404, () => api.GetCustomerWithHttpInfo(id));
        Console.WriteLine("  ✓ openapi-generator for C#");
    }
}
