private import Foundation

/// A readable description of a problem with a settings file.
package struct ConfigFileProblem: CustomStringConvertible {
    package let description: String

    /// - Parameter error: the error thrown by a file provider.
    package init(_ error: any Error) {
        // The JSON parser puts the useful detail here and surrounds it with boilerplate.
        let detail = (error as? CocoaError)?.userInfo[NSDebugDescriptionErrorKey] as? String
        description = detail.map { "invalid JSON: \($0)" } ?? "\(error)"
    }
}
