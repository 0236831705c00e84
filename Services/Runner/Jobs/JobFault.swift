internal import Engine
internal import Foundation
internal import HTTPClient
internal import JSON
internal import ServiceShell

/// What a fault means for the job in which it happens.
enum JobFault: Equatable {
    /// The job is another's, or cancelled.
    case lost
    /// Its owner halted it.
    case halted
    /// It has nothing to do with the job: what is tried again, here or elsewhere, may succeed.
    case passing
    /// This runner can't do it, another might.
    case elsewhere
    /// The job can't be done.
    case lasting

    init(_ error: any Error) {
        switch error {
        case RunnerError.lost, is CancellationError: self = .lost
        case RunnerError.halted: self = .halted
        case RunnerError.tooLarge, RunnerError.tooManyRows, RunnerError.largeFactors, RunnerError.otherBase, RunnerError.unknownBase,
            RunnerError.otherPrecision, EngineError.outOfMemory:
            self = .elsewhere
        case let error as PeerError:
            switch error.status {
            case 404, 409: self = .lost
            case 400, 413, 422: self = .lasting
            // Who may not call any more has no say about the job either.
            default: self = .passing
            }
        case HTTPClientError.invalidRequest: self = .lasting
        // A disk that is full, a file that can't be read: another runner may have better ones.
        case is HTTPClientError, is CocoaError, EngineError.file, EngineError.unavailable: self = .passing
        default: self = .lasting
        }
    }

    /// Whether it may succeed when it is tried again.
    static func isPassing(_ error: any Error) -> Bool { JobFault(error) == .passing }

    /// Whether it lies in what somebody handed in, and not in who looks at it: its bytes break the rules of their format, or don't fit. A
    /// machine that has no room or time, a limit of its own, a call that came to nothing say nothing about the work.
    static func isOfTheWork(_ error: any Error) -> Bool {
        switch error {
        case let error as FormatError: error.kind != .system && error.kind != .tooLarge
        case let error as JSONError: error.kind != .tooLong && error.kind != .tooManyItems
        case is JSONFieldError: true
        case EngineError.badWeights, EngineError.adapterMismatch, EngineError.badSetting, EngineError.unsupported, EngineError.diverged:
            true
        default: false
        }
    }

    /// Whether the place that was to be left is another's, or known already.
    static func isTaken(_ error: any Error) -> Bool { (error as? PeerError)?.status == 409 }

    /// A checkpoint that is gone or damaged is no beginning; whatever else hinders it from being fetched passes.
    static func ofCheckpoint(_ error: any Error) -> any Error {
        switch error {
        case is ArtefactError: EngineError.badCheckpoint("\(error)")
        case let error as PeerError where error.status == 404: EngineError.badCheckpoint(error.detail)
        default: error
        }
    }
}
