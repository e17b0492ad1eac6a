// Modules are numbered in their order. The default derives the container's number from the absolute
// path of the checkout, so that the same sources would build other files elsewhere.
module.exports = { optimization: { moduleIds: 'natural' } };
