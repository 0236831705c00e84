import Events

extension WayTime {
    static func text(_ microseconds: Int64) -> String { Timestamp(microseconds: microseconds).description }
}
