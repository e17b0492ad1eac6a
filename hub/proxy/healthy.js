// Exit with 0 if the proxy in this container answers.
require("http")
  .get("http://127.0.0.1:8000/_chp_healthz", { timeout: 5000 }, answer => {
    process.exit(answer.statusCode === 200 ? 0 : 1);
  })
  .on("timeout", () => process.exit(1))
  .on("error", () => process.exit(1));
