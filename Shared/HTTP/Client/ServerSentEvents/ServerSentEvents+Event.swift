extension ServerSentEvents {
    /// One event of an event stream (WHATWG HTML §9.2).
    public struct Event: Sendable, Hashable {
        /// The last event id at the time of dispatch, to resume after; empty when the stream has named none.
        public var id: String
        /// The event's type; "message" when the stream names none.
        public var event: String
        /// The data lines, joined by line feeds.
        public var data: String
        /// The reconnection time this event's block carries, if any.
        public var retry: Duration?

        /// An event.
        public init(id: String = "", event: String = "message", data: String, retry: Duration? = nil) {
            self.id = id
            self.event = event
            self.data = data
            self.retry = retry
        }
    }
}
