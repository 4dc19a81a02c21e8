const form = document.getElementById("login");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const key = document.getElementById("key").value;
  const answer = await fetch("api/v1/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ key }),
  });
  if (answer.ok) location.replace("./");
  else document.getElementById("wrong").textContent = (await answer.json()).error;
});
