/** Given names that people bear in many countries, without order of preference; a user's name is drawn from them evenly. */
export const GIVEN_NAMES = `
Aaliyah Aarav Abdullah Abena Adam Aditi Adriana Agnieszka Ahmed Aiko Aisha Akira Alan Alejandro Alexandra Ali Alice Alma Amara
Amelia Amina Amir Ana Anders Andrea Anika Anna Antonio Anya Aoife Arjun Arthur Astrid Ayumi Beatriz Ben Bianca Bilal Birgit
Bogdan Brigitte Bruno Camila Carlos Carmen Caroline Catarina Charles Chiara Chidi Chloe Ciara Clara Claudia Cristina Dalia
Daniel Daria David Deepak Diana Diego Dina Dmitri Dorothy Edith Eduardo Edward Eero Elena Elif Elin Elisabeth Ella Emeka Emil
Emily Emma Enrique Erik Esther Eva Fatima Fatou Felix Fernanda Finn Fiona Florence Francesca Frank Frida Gabriel Gareth
Giulia Giuseppe Grace Greta Guillermo Hana Hannah Hans Haruto Hassan Helen Henrik Hiroshi Hugo Ibrahim Ida Ines Ingrid Irene
Isabel Isla Ivan Jack Jacob James Jan Jana Javier Jin Joana John Jorge Joseph Julia Kamala Karim Karin Katarzyna Kateryna
Keiko Kenji Kofi Kwame Lakshmi Lars Laura Layla Lea Leila Leon Lina Linnea Lucas Lucia Luis Magnus Mai Malik Marco Maria
Marta Martin Mary Mateo Maya Mei Mehmet Michael Miguel Min Mina Mohammed Monika Nadia Naomi Natalia Niamh Nikolai Nina
Noah Nora Olga Oliver Olivia Omar Oscar Pablo Paolo Patricia Paul Paulina Pedro Peter Petra Pierre Priya Rafael Rahul Rania
Ravi Rebecca Ricardo Robert Rosa Ruth Ryan Sakura Samira Samuel Sandra Sara Sebastian Sergei Shreya Siobhan Sofia Sven
Tadeusz Takumi Tariq Teresa Thandi Theo Thomas Tomasz Ugo Ursula Valentina Vera Victor Vikram Wei William Xin Yara Yasmin
Youssef Yuki Zainab Zoe Zofia
`
  .trim()
  .split(/\s+/);
