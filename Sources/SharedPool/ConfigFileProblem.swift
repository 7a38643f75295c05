private import Foundation

/// What is wrong with a file of settings, in words.
package struct ConfigFileProblem: CustomStringConvertible {
    package let description: String

    /// - Parameter error: what a file provider threw.
    package init(_ error: any Error) {
        // The parser of JSON keeps what a person wants to know in here, and says a lot around it.
        let detail = (error as? CocoaError)?.userInfo[NSDebugDescriptionErrorKey] as? String
        description = detail.map { "it is not JSON: \($0)" } ?? "\(error)"
    }
}
