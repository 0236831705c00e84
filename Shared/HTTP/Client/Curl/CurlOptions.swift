/// How a `CurlTransport` reaches servers. Proxies from the environment are never used.
public struct CurlOptions: Sendable {
    /// A certificate to show to servers that ask for one (mutual TLS).
    public struct ClientCertificate: Sendable {
        /// PEM file with the certificate and its chain.
        public var certificateFile: String
        /// PEM file with the private key, without a pass phrase.
        public var keyFile: String

        /// A certificate and its key.
        public init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    /// UNIX sockets by the authority in the URL (`ledger` for `http://ledger/log`, `host:port` where a port is given).
    public var unixSockets: [String: String]
    /// PEM file with the only authorities to trust; nil for the system's. Certificates and names are always verified.
    public var caFile: String?
    /// What to show to servers that ask who calls.
    public var clientCertificate: ClientCertificate?
    /// The most connections at once to one host and port; further exchanges wait for one of them.
    public var maximumConnectionsPerHost: Int
    /// The most connections kept open in all for exchanges to come.
    public var maximumIdleConnections: Int
    /// The `User-Agent` of requests that bring none; nil sends none.
    public var userAgent: String?
    /// Whether addresses of this machine and of private networks count as if nobody were there, whatever name leads to them: for URLs that
    /// strangers give.
    public var refusesPrivateAddresses: Bool

    /// Options with defaults for calls between services.
    public init(
        unixSockets: [String: String] = [:], caFile: String? = nil, clientCertificate: ClientCertificate? = nil,
        maximumConnectionsPerHost: Int = 64, maximumIdleConnections: Int = 256, userAgent: String? = "openledger",
        refusesPrivateAddresses: Bool = false
    ) {
        self.unixSockets = unixSockets
        self.caFile = caFile
        self.clientCertificate = clientCertificate
        self.maximumConnectionsPerHost = maximumConnectionsPerHost
        self.maximumIdleConnections = maximumIdleConnections
        self.userAgent = userAgent
        self.refusesPrivateAddresses = refusesPrivateAddresses
    }
}
