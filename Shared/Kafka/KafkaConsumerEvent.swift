/// What a consumer's reader gets, in the order in which it happened.
public enum KafkaConsumerEvent: Sendable, Hashable {
    /// Records; never empty.
    case records([KafkaRecord])
    /// The group gave these partitions to this reader. Fetching begins with the next read, so seek before it.
    case assigned([KafkaPartition])
    /// The group takes these partitions away with the next read, or has taken them already when they are `lost`: then
    /// another reader may be at them, and nothing may be committed for them.
    case revoked([KafkaPartition], lost: Bool)
}
