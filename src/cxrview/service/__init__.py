"""The service between modalities and archive: receive, classify, correct or report, forward."""
