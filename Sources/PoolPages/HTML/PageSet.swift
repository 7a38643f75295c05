package import PoolMetrics

/// What all pages of one moment are made of.
package struct PageSet {
    let reports: [PoolReport]
    let process: ProcessSituation
    let diagnosis: Diagnosis
    let query: PageQuery

    package init(
        _ reports: [PoolReport],
        _ process: ProcessSituation,
        _ diagnosis: Diagnosis,
        _ query: PageQuery = PageQuery()
    ) {
        self.reports = reports
        self.process = process
        self.diagnosis = diagnosis
        self.query = query
    }
}
