public import HTTP
public import JSON

extension Response {
    /// A reply of JSON.
    public static func json(_ value: JSONValue, status: Int = 200, headers: Headers = [:]) -> Response {
        json(bytes: JSON.write(value), status: status, headers: headers)
    }

    /// A reply of JSON that is written already.
    public static func json(bytes: [UInt8], status: Int = 200, headers: Headers = [:]) -> Response {
        var headers = headers
        headers.set("Content-Type", "application/json")
        return Response(status: status, headers: headers, body: .bytes(bytes))
    }

    /// 204.
    public static let noContent = Response(status: 204)
}
