// A client with .NET 8 or later: dotnet run --project examples/csharp -- [API]
// The key of the API is taken from the environment variable API_KEY.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Http;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading.Tasks;

static class Program
{
    // One attempt may take longer than the API itself tries (25 seconds).
    static readonly HttpClient Http = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
    static readonly Random Chance = new Random();

    // Send and repeat
    static readonly int[] Repeated = { 408, 429, 502, 503, 504 };

    // Sends a request. Repeats it, unchanged, while a failure may pass. Returns the answer, also one with an error.
    static async Task<HttpResponseMessage> Send(string method, Uri url, string body = null, string ifMatch = null)
    {
        // One key for each write. Each repetition has the same key, so the write is done once.
        var key = Guid.NewGuid().ToString();
        for (var attempt = 0; ; attempt++)
        {
            // Up to 1, 2, 4, 8 seconds; a random wait keeps clients from returning all at once.
            var wait = TimeSpan.FromSeconds(Chance.NextDouble() * Math.Pow(2, attempt));
            // A message can be sent once, so each attempt has its own.
            var request = new HttpRequestMessage(new HttpMethod(method), url);
            request.Headers.Add("x-api-key", Environment.GetEnvironmentVariable("API_KEY") ?? "none");
            if (method != "GET") request.Headers.Add("Idempotency-Key", key);
            if (ifMatch != null) request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
            if (body != null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            try
            {
                var answer = await Http.SendAsync(request);
                if (!Repeated.Contains((int)answer.StatusCode) || attempt == 5) return answer;
                wait += answer.Headers.RetryAfter?.Delta ?? TimeSpan.Zero;
            }
            // There is no answer, so nobody knows whether a write was done. The key makes it safe to repeat.
            catch (HttpRequestException) when (attempt < 5) { }
            catch (TaskCanceledException) when (attempt < 5) { }
            await Task.Delay(wait);
        }
    }

    static async Task<HttpResponseMessage> Good(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        if ((int)answer.StatusCode >= 400) throw new Exception(text);
        Console.WriteLine(text);
        return answer;
    }

    // Change without overwriting
    // Reads the row and changes it. If somebody else changed it in between, reads it and decides again.
    static async Task<HttpResponseMessage> Change(Uri url, Func<string, string> decide)
    {
        for (;;)
        {
            var row = await Send("GET", url);
            if ((int)row.StatusCode != 200) return row;
            var change = decide(await row.Content.ReadAsStringAsync());
            var answer = await Send("PATCH", url, change, row.Headers.ETag.ToString());
            if ((int)answer.StatusCode != 412) return answer;
        }
    }

    // Read to the end
    // Hands over each page of a list, as text.
    static async Task Pages(Uri url, Action<string> page)
    {
        while (url != null)
        {
            var answer = await Send("GET", url);
            var text = await answer.Content.ReadAsStringAsync();
            if ((int)answer.StatusCode != 200) throw new Exception(text);
            page(text);
            IEnumerable<string> links;
            var link = answer.Headers.TryGetValues("Link", out links) ? string.Join(", ", links) : "";
            var next = Regex.Match(link, "<([^>]*)>; rel=\"next\"");
            url = next.Success ? new Uri(url, next.Groups[1].Value) : null;
        }
    }

    // Use it
    static void Main(string[] arguments) => Run(arguments).GetAwaiter().GetResult();

    static async Task Run(string[] arguments)
    {
        var api = new Uri(arguments.Length > 0 ? arguments[0] : "http://localhost:3000");
        await Good(await Send("GET", new Uri(api, "/customer/123")));
        var jane = "{\"CustomerName\": \"Jane Doe\", \"PhoneNumber\": \"123-234-5678\", \"FaxNumber\": \"123-234-5678\","
            + "\"WebsiteURL\": \"http://www.something.com\", \"Delivery\": {\"AddressLine1\": \"One Microsoft Way\", \"PostalCode\": \"98052\"}}";
        var customers = new Uri(api, "/customer");
        var created = await Good(await Send("PUT", customers, jane));
        // The address of the new row is relative to the address of the request.
        var address = new Uri(customers, created.Headers.Location);
        await Good(await Change(address, customer => "{\"PhoneNumber\": \"123-234-9999\"}"));
        await Good(await Send("DELETE", address));
        var count = 0;
        await Pages(new Uri(api, "/customers?limit=250"), page => count += Regex.Matches(page, "\"CustomerID\":").Count);
        Console.WriteLine($"{count} customers");
    }
}
